import Testing

@Suite("Fuzzing")
struct SeededBytesTests {}
