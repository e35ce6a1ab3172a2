"""The flow, one public function per module; no stage knows another."""
