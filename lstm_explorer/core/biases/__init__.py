"""The gradient over a range of gate biases, and the bias that one needs."""
