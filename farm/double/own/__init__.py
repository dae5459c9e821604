"""An artist's own double: what a .blend holds, which rig it is, where hair grows, and hair for its head."""
