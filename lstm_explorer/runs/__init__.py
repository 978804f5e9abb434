"""Work on experiments: jobs that can be done in pieces, and the runners that do them."""
