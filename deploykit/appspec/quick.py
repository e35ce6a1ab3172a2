def quick_timeout(raw: bytes, event: str, script: str) -> int:
    return 0
