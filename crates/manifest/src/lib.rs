//! trueup-manifest
