"""Facts: what rules may ask the model of the mesh (`declared`), and the answers (`answers`)."""
