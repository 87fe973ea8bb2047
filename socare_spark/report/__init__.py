"""Pictures, maps and pages made from results."""
