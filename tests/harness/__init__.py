"""What the tests on real parts share: starting the parts, and driving them."""
