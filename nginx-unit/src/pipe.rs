//! Bytes from one side to the other, as fast as the slower of them.

use wasip2::http::types::{IncomingBody, IncomingRequest, IncomingResponse, OutgoingBody};
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// What a body is read from. A stream is dropped before the body that it belongs to, as wasi:http wants it.
pub(crate) enum Feed {
    Stream(InputStream, IncomingBody),
    /// It is all here.
    Held(Vec<u8>),
}

/// One direction. Dropped before its end, it tells the reader that there is more to the body.
pub(crate) struct Pipe {
    feed: Feed,
    stream: OutputStream,
    body: OutgoingBody,
}

/// One of a pipe's sides is gone.
pub(crate) struct Broken;

/// A body that nothing more is written to, and that has no end yet.
pub(crate) struct Stalled(OutputStream, OutgoingBody);

impl Feed {
    pub(crate) fn of_request(request: &IncomingRequest) -> Option<Self> {
        Self::of(request.consume().ok()?)
    }

    pub(crate) fn of_response(response: &IncomingResponse) -> Option<Self> {
        Self::of(response.consume().ok()?)
    }

    fn of(body: IncomingBody) -> Option<Self> {
        Some(Self::Stream(body.stream().ok()?, body))
    }

    /// The whole body, or the first bytes of one with more than `most`; `None` where it broke off.
    pub(crate) fn read(self, most: usize) -> Option<Vec<u8>> {
        // Locals go in reverse: the stream first.
        let (_body, stream) = match self {
            Self::Held(body) => return Some(body),
            Self::Stream(stream, body) => (body, stream),
        };
        let mut read = Vec::new();
        while read.len() <= most {
            match stream.blocking_read(64 * 1024) {
                Ok(part) => read.extend(part),
                Err(StreamError::Closed) => break,
                Err(StreamError::LastOperationFailed(_)) => return None,
            }
        }
        Some(read)
    }
}

impl Pipe {
    pub(crate) fn new(feed: Feed, body: OutgoingBody) -> Option<Self> {
        Some(Self { feed, stream: body.write().ok()?, body })
    }

    /// Moves what can be moved at once. What it waits for then, unless that was all: one side alone, for a
    /// poll of both would return for the one that is ready.
    pub(crate) fn pump(&mut self) -> Result<Option<Pollable>, Broken> {
        loop {
            let room = self.stream.check_write().map_err(|_| Broken)?;
            if room == 0 {
                return Ok(Some(self.stream.subscribe()));
            }
            match &mut self.feed {
                Feed::Stream(stream, _) => match self.stream.splice(stream, room) {
                    Ok(0) => return Ok(Some(stream.subscribe())),
                    Ok(_) => {}
                    Err(StreamError::Closed) => return Ok(None),
                    Err(StreamError::LastOperationFailed(_)) => return Err(Broken),
                },
                Feed::Held(bytes) if bytes.is_empty() => return Ok(None),
                Feed::Held(bytes) => {
                    let rest = bytes.split_off(bytes.len().min(room.try_into().unwrap_or(0)));
                    let written = self.stream.write(&std::mem::replace(bytes, rest));
                    written.map_err(|_| Broken)?;
                }
            }
        }
    }

    /// Says that all has come. The host sees to it where that is less than was announced.
    pub(crate) fn finish(self) {
        drop(self.stream);
        let _ = OutgoingBody::finish(self.body, None);
    }

    /// Lets go of what the body was read from.
    pub(crate) fn stall(self) -> Stalled {
        Stalled(self.stream, self.body)
    }
}

impl Stalled {
    /// The body goes with the instance. To drop it would tell the host of an error.
    pub(crate) fn leave(self) {
        let Self(stream, body) = self;
        std::mem::forget((stream, body));
    }
}
