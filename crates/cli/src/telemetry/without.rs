//! What stands in for traces in a build without the feature `otel`: nothing.

use aws_sdk_iam::config::Intercept;
use tokio::runtime::Handle;
use trueup_model::AccountId;
use trueup_planner::Plan;

use crate::terminal::Terminal;

/// Looks at nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calls;

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "no calls"
    }
}

pub(crate) fn begin(_: &'static str, _: &Handle, _: &Terminal) {}

pub(crate) fn account(_: &AccountId) {}

pub(crate) fn plan(_: &Plan) {}

pub(crate) fn end(_: u8, _: &Terminal) {}
