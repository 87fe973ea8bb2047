"""Arithmetic that analyses share: cells, bands, money, spells, periods, spelling, forecasts."""
