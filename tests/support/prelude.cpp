// Intentionally empty: CMake writes a precompiled header only for a target with a source that uses
// it, and Catch's main cannot, because it has to include Catch in its own way.
