"""What a network of one's own can remember, and what would mend it."""
