//! Bytes between the host and the module.

use anyhow::{Context, Result};
use wasmtime::{Caller, Extern, Memory};

use crate::host::State;

pub(crate) type Call<'c> = Caller<'c, State>;

fn memory(call: &mut Call<'_>) -> Result<Memory> {
    call.get_export("memory").and_then(Extern::into_memory).context("the module has a memory")
}

/// Bytes of the module.
pub(crate) fn read(call: &mut Call<'_>, at: u32, size: u32) -> Result<Vec<u8>> {
    let memory = memory(call)?;
    let all = memory.data(&*call);
    let bytes = all.get(at as usize..).and_then(|rest| rest.get(..size as usize));
    Ok(bytes.context("outside of the module's memory")?.to_vec())
}

pub(crate) fn text(call: &mut Call<'_>, at: u32, size: u32) -> Result<String> {
    Ok(String::from_utf8_lossy(&read(call, at, size)?).into_owned())
}

pub(crate) fn write(call: &mut Call<'_>, at: u32, bytes: &[u8]) -> Result<()> {
    let memory = memory(call)?;
    Ok(memory.write(&mut *call, at as usize, bytes)?)
}

/// Hands bytes over: the module makes room, and is told where they are.
pub(crate) fn give(call: &mut Call<'_>, bytes: &[u8], data: u32, size: u32) -> Result<()> {
    if !bytes.is_empty() {
        let allocate = call.get_export("proxy_on_memory_allocate").and_then(Extern::into_func);
        let allocate = allocate.context("the module allocates")?.typed::<u32, u32>(&*call)?;
        let at = allocate.call(&mut *call, u32::try_from(bytes.len())?)?;
        write(call, at, bytes)?;
        write(call, data, &at.to_le_bytes())?;
    }
    write(call, size, &u32::try_from(bytes.len())?.to_le_bytes())
}

/// A map as it crosses the border.
pub(crate) fn map(headers: &[(String, Vec<u8>)]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let mut bytes = number(headers.len()).to_vec();
    for (name, value) in headers {
        bytes.extend(number(name.len()));
        bytes.extend(number(value.len()));
    }
    for (name, value) in headers {
        bytes.extend([name.as_bytes(), b"\0", value, b"\0"].concat());
    }
    bytes
}

/// What such a map holds.
pub(crate) fn pairs(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let number = |at: usize| {
        let number = bytes.get(at..at + 4).context("a map that is cut")?;
        anyhow::Ok(u32::from_le_bytes(number.try_into()?) as usize)
    };
    let count = number(0)?;
    let mut at = 4 + 8 * count;
    let mut next = |size: usize| {
        let text = bytes.get(at..at + size).context("a map that is cut")?;
        at += size + 1;
        anyhow::Ok(text.to_vec())
    };
    let pair = |pair: usize| {
        let name = String::from_utf8(next(number(4 + 8 * pair)?)?)?;
        anyhow::Ok((name, next(number(8 + 8 * pair)?)?))
    };
    (0..count).map(pair).collect()
}
