"""What the coming quarters may need (F)."""
