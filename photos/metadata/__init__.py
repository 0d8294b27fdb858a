"""What files say about themselves: EXIF, XMP, IPTC and what stands in for them."""
