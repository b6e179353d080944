//! step_2 caught by step_2: leaves the high watermark where it is (R3.4)
self.high_watermark
