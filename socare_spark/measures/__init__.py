"""Measures shared by analyses: counts, bands, costs, spells, periods, statistics, forecasts."""
