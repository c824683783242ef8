"""The starter model: its text generator, its training, its export and its evaluation."""
