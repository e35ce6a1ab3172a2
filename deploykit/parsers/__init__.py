"""What the two services read, as frozen trees with a place for every line. Nothing here touches the machine."""
