"""How messages travel: frames of fixed size and signatures over them."""
