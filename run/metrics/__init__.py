"""What a running server measures of itself."""
