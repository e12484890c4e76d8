"""What a person makes of an image: objects, their parts and strokes, and the actions on them."""
