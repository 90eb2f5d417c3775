//! `POST /graph/query`

use std::convert::Infallible;

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream::unfold;
use serde_json::json;
use tokio::sync::mpsc::Receiver;

use super::answer::{Answer, respond};
use super::body::Incoming;
use super::problem::Refusal;
use super::query::Query;
use super::{HttpLimits, State, body};
use crate::app::{AppError, Part, Question};
use crate::cypher::statement::Statement;
use crate::model::Code;
use crate::store::Ending;
use crate::wire::GraphQueryDocument;

/// One line a row.
const CONTENT_TYPE: &str = "application/x-ndjson";
/// From this size on the lines that are ready are sent, so that a piece stays small.
const PIECE_BYTES: usize = 16 << 10;

pub(super) async fn query(request: HttpRequest, incoming: Incoming, state: web::Data<State>) -> HttpResponse {
    respond(&request, query_answer(&request, incoming, &state).await)
}

async fn query_answer(request: &HttpRequest, incoming: Incoming, state: &State) -> Answer {
    let received = incoming.collect().await?;
    Query::of(request)?.finish_reading(&["consistency"], &state.app).await?;
    let syntax = body::required_syntax(request)?;
    let posted = body::read(state, syntax, received, Code::InvalidGraphQuery, GraphQueryDocument::read).await?;
    let statement = Statement::parse(&posted.query).map_err(AppError::from)?;
    // The last line of an answer that was cut short could not be told from such a row.
    if let Some([only @ ("truncated" | "error")]) =
        statement.columns().as_deref().map(|columns| columns.iter().map(String::as_str).collect::<Vec<_>>()).as_deref()
    {
        let detail =
            format!("an answer with the one column `{only}` might be taken for its last line; name it otherwise");
        return Err(Refusal::new(Code::InvalidGraphQuery, detail));
    }
    let HttpLimits { query_rows: rows, query_row_bytes: row_bytes, query_bytes: bytes, query_time: time, .. } =
        state.limits;
    let question = Question { statement, parameters: posted.parameters, rows, row_bytes, bytes, time };
    let mut parts = state.app.ask(question).await?;
    // What is wrong with the question shows before the first row does, while there can still be another status.
    let first = match parts.recv().await {
        Some(Part::End(Err(error))) => return Err(error.into()),
        first => first,
    };
    let lines = Lines { first, parts, limits: state.limits, is_over: false };
    let stream = unfold(lines, |mut lines| async { Some((Ok::<_, Infallible>(lines.piece().await?), lines)) });
    Ok(HttpResponse::Ok().content_type(CONTENT_TYPE).streaming(stream))
}

/// The answer on its way. Where the client goes away it is dropped, and the question given up.
struct Lines {
    first: Option<Part>,
    parts: Receiver<Part>,
    limits: HttpLimits,
    is_over: bool,
}

impl Lines {
    /// The lines that are ready, at least one; `None` after the last.
    async fn piece(&mut self) -> Option<Bytes> {
        let mut piece = Vec::new();
        while !self.is_over && piece.len() < PIECE_BYTES {
            let next = match self.first.take() {
                Some(first) => Some(first),
                None if piece.is_empty() => self.parts.recv().await,
                None => match self.parts.try_recv() {
                    Ok(next) => Some(next),
                    Err(_) => break,
                },
            };
            self.write(&mut piece, next);
        }
        (!piece.is_empty()).then(|| Bytes::from(piece))
    }

    fn write(&mut self, piece: &mut Vec<u8>, part: Option<Part>) {
        let last = match part {
            Some(Part::Row(row, _)) => {
                piece.extend_from_slice(row.as_str().as_bytes());
                return piece.push(b'\n');
            }
            Some(Part::End(Ok(Ending::Complete))) => None,
            Some(Part::End(Ok(Ending::RowLimit))) => Some(json!({"truncated": {"rows": self.limits.query_rows}})),
            Some(Part::End(Ok(Ending::ByteLimit(bytes)))) => Some(json!({"truncated": {"bytes": bytes}})),
            Some(Part::End(Ok(Ending::TimeLimit))) => {
                Some(json!({"truncated": {"seconds": self.limits.query_time.as_secs()}}))
            }
            Some(Part::End(Err(error))) => Some(Refusal::from(error).as_line()),
            None => Some(Refusal::new(Code::Internal, "the question was given up").as_line()),
        };
        self.is_over = true;
        if let Some(last) = last {
            piece.extend_from_slice(last.to_string().as_bytes());
            piece.push(b'\n');
        }
    }
}
