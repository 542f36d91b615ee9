//! trueup-report
