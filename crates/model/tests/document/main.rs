//! Policy documents through the public interface: what equals what, what differs how, what IAM refuses.

mod difference;
mod equivalence;
mod pitfalls;
mod properties;
mod reading;
mod refusal;
