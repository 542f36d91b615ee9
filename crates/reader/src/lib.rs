//! trueup-reader
