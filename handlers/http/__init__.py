"""What every HTTP endpoint shares: admission, sessions, parameters, errors."""
