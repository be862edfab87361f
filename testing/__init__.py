"""What tests and the benchmark share: servers, in this process or in their own, and the people who use them."""
