"""Training: tasks, the run, and the gradient of the training loss at every step on the way."""
