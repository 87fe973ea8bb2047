"""Forecasts of the coming quarters (F)."""
