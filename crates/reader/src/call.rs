//! What can be told of a failed SDK call without looking at its operation's own error type.

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

/// The error code as it stood on the wire. Typed errors are of no use here: IAM sends codes that its model does not
/// list, which the SDK reports as unhandled.
pub(crate) fn code_of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// Whether the endpoint does not know this operation at all. IAM says `InvalidAction`; emulators answer with a web
/// page and status 500, which has no code, where a failure of IAM itself would have one.
pub(crate) fn is_unknown_operation<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match code_of(error) {
        Some(code) => matches!(code, "InvalidAction" | "UnknownOperation" | "UnknownOperationException"),
        None => error.raw_response().is_some_and(|response| {
            matches!(response.status().as_u16(), 404 | 500 | 501)
                && response.body().bytes().is_some_and(is_no_iam_answer)
        }),
    }
}

fn is_no_iam_answer(body: &[u8]) -> bool {
    let is_xml_error = body
        .windows(b"<ErrorResponse".len())
        .any(|window| window == b"<ErrorResponse");
    !is_xml_error
}
