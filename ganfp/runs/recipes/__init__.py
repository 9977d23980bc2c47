"""What can be made, and from what: one frozen description per kind of artifact.

Everything flows one way: images -> GAN -> samples -> fitted attributor -> evaluation; the content network, features and
what is computed from them hang beside.  A recipe's key is a digest of its whole description, down to the images, and of
the code behind it.  This is the only place where the rooms (worlds, GANs, attributors, features) meet the store.
"""
