"""Where the desk touches the world: its store, its rounds over the network, its pages."""
