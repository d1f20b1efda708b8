"""Renderers: one file each for plain folders, Kustomize, Helm, Argo CD and Flux."""
