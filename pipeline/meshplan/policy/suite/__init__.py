"""How well a rule is tested: the branches that examples reach, and the mistakes they notice."""
