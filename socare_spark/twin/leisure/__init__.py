"""A workbook of leisure passes, as a council keeps it: the example of docs/onboarding.md."""
