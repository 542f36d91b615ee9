//! trueup-executor
