"""The source in the terminal (write, visit, read), and a crowd of honest viewers."""
