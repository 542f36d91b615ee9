//! trueup-sandbox
