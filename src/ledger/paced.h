#pragma once

// A VFS for the connection that brings the log into the ledger's file while the event loop, often
// on the same processor, answers requests: it gives the processor away after every few pages, so
// that a request waits for a few pages and not for hundreds. What is written, in which order and
// when it is synced stays SQLite's affair. Internal to src/ledger.

struct sqlite3;

namespace remit::ledger {

// Each pause costs the processor some 5 us, and each piece sent to a virtual disk some 10.
inline constexpr int kPacedPages = 64;             // of 4 KiB, written between two pauses
inline constexpr long kPaceNanoseconds = 300'000;  // a pause

// Gives the processor away.
void pace();

// The VFS's name for sqlite3_open_v2(). Registered at the first call; null, which is SQLite's own
// VFS, when that cannot be.
const char* paced_vfs();

// A connection opened with it begins paced. One that others wait for writes without a pause.
void set_paced(sqlite3* database, bool paced);

}  // namespace remit::ledger
