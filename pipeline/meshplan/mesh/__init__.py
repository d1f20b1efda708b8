"""The mesh that a snapshot describes: hosts, services, rules and policies, as istiod sees them."""

from meshplan.mesh.config import MeshConfig, mesh_config
from meshplan.mesh.model import Mesh

__all__ = ["Mesh", "MeshConfig", "mesh_config"]
