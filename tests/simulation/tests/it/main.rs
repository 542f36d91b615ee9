//! The properties. Each says what must hold for every account and every manifest.

mod converge;
