//! What a console password has to be like: the account's own policy, or AWS's where it has none.

use sha2::{Digest, Sha256};

use crate::{
    errors::ApiError,
    state::{State, User},
};

/// The symbols that count as such.
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";

/// The shortest password of an account without a policy of its own, and how many of the four classes it has.
const DEFAULT_LENGTH: usize = 8;
const DEFAULT_CLASSES: usize = 3;

/// Refuses a password that the account's policy does not allow for this user.
pub(crate) fn check(state: &State, user: &User, password: &str) -> Result<(), ApiError> {
    let length = password.chars().count();
    let has = |class: fn(char) -> bool| password.chars().any(class);
    let upper = has(|c| c.is_ascii_uppercase());
    let lower = has(|c| c.is_ascii_lowercase());
    let digit = has(|c| c.is_ascii_digit());
    let symbol = has(|c| SYMBOLS.contains(c));
    let Some(policy) = &state.password_policy else {
        require(
            length >= DEFAULT_LENGTH,
            &format!("Password should have a minimum length of {DEFAULT_LENGTH}"),
        )?;
        let classes = [upper, lower, digit, symbol]
            .into_iter()
            .filter(|present| *present)
            .count();
        require(
            classes >= DEFAULT_CLASSES,
            "Password should have at least three of: uppercase letters, lowercase letters, numbers, symbols",
        )?;
        return require(
            state.alias.as_deref() != Some(password),
            "Password should not be identical to the account name",
        );
    };
    let minimum = policy.minimum_password_length as usize;
    require(
        length >= minimum,
        &format!("Password should have a minimum length of {minimum}"),
    )?;
    require(
        upper || !policy.require_uppercase_characters,
        "Password should have at least one uppercase letter",
    )?;
    require(
        lower || !policy.require_lowercase_characters,
        "Password should have at least one lowercase letter",
    )?;
    require(
        digit || !policy.require_numbers,
        "Password should have at least one number",
    )?;
    require(
        symbol || !policy.require_symbols,
        "Password should have at least one symbol",
    )?;
    let remembered = policy.password_reuse_prevention.unwrap_or_default() as usize;
    let digest = digest(&user.entity.id, password);
    let earlier = user
        .login_profile
        .iter()
        .flat_map(|profile| profile.digests.iter().rev());
    require(
        !earlier.take(remembered).any(|earlier| *earlier == digest),
        "Password should not be one of the last ones used",
    )
}

fn require(holds: bool, message: &str) -> Result<(), ApiError> {
    if holds {
        Ok(())
    } else {
        Err(ApiError::password_violation(message))
    }
}

/// What is kept of a password.
pub(crate) fn digest(user_id: &str, password: &str) -> String {
    let digest = Sha256::new()
        .chain_update(user_id)
        .chain_update([0])
        .chain_update(password)
        .finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
