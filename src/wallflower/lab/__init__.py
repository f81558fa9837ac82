"""The lab: a simulated host, the demo town, and the adversaries that attack both."""
