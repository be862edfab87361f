"""What the commands of the operator do."""
