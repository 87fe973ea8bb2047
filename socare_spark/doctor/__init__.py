"""The job `doctor`: checks the environment of the other jobs, and changes no table."""
