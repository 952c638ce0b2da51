#include "ledger/paced.h"

#include <sqlite3.h>

#include <ctime>
#include <new>

namespace remit::ledger {
namespace {

// Of the operations that SQLite leaves to applications.
// https://www.sqlite.org/c3ref/file_control.html
constexpr int kSetPaced = 0x524D4C;

// The file of the VFS beneath stands behind it in memory.
struct PacedFile {
  sqlite3_file base;
  bool paced;
  int pages;  // written since the last pause
};

using Methods = sqlite3_io_methods;

PacedFile& paced_of(sqlite3_file* file) { return *reinterpret_cast<PacedFile*>(file); }

sqlite3_file* beneath(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(&paced_of(file) + 1);
}

// The method as it is of the file beneath.
template <auto Method>
struct Forward;
template <typename R, typename... Arguments, R (*Methods::*Method)(sqlite3_file*, Arguments...)>
struct Forward<Method> {
  static R call(sqlite3_file* file, Arguments... arguments) {
    sqlite3_file* const real = beneath(file);
    return (real->pMethods->*Method)(real, arguments...);
  }
};

int write_paced(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  PacedFile& self = paced_of(file);
  if (self.paced && ++self.pages >= kPacedPages) {
    self.pages = 0;
    pace();
  }
  return Forward<&Methods::xWrite>::call(file, bytes, size, at);
}

int control(sqlite3_file* file, int operation, void* argument) {
  if (operation != kSetPaced) {
    return Forward<&Methods::xFileControl>::call(file, operation, argument);
  }
  paced_of(file).paced = *static_cast<const bool*>(argument);
  return SQLITE_OK;
}

constexpr Methods kMethods = {
    .iVersion = 3,
    .xClose = Forward<&Methods::xClose>::call,
    .xRead = Forward<&Methods::xRead>::call,
    .xWrite = write_paced,
    .xTruncate = Forward<&Methods::xTruncate>::call,
    .xSync = Forward<&Methods::xSync>::call,
    .xFileSize = Forward<&Methods::xFileSize>::call,
    .xLock = Forward<&Methods::xLock>::call,
    .xUnlock = Forward<&Methods::xUnlock>::call,
    .xCheckReservedLock = Forward<&Methods::xCheckReservedLock>::call,
    .xFileControl = control,
    .xSectorSize = Forward<&Methods::xSectorSize>::call,
    .xDeviceCharacteristics = Forward<&Methods::xDeviceCharacteristics>::call,
    .xShmMap = Forward<&Methods::xShmMap>::call,
    .xShmLock = Forward<&Methods::xShmLock>::call,
    .xShmBarrier = Forward<&Methods::xShmBarrier>::call,
    .xShmUnmap = Forward<&Methods::xShmUnmap>::call,
    .xFetch = Forward<&Methods::xFetch>::call,
    .xUnfetch = Forward<&Methods::xUnfetch>::call,
};

// Only the database itself is paced; its log is opened as the VFS beneath does.
int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
  auto* const real_vfs = static_cast<sqlite3_vfs*>(vfs->pAppData);
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) {
    return real_vfs->xOpen(real_vfs, name, file, flags, out);
  }
  new (file) PacedFile{.base = {.pMethods = nullptr}, .paced = true, .pages = 0};
  sqlite3_file* const real = beneath(file);
  const int code = real_vfs->xOpen(real_vfs, name, real, flags, out);
  if (real->pMethods == nullptr) return code;  // then nobody closes it
  if (real->pMethods->iVersion < kMethods.iVersion) {
    real->pMethods->xClose(real);
    return SQLITE_CANTOPEN;
  }
  paced_of(file).base.pMethods = &kMethods;
  return code;
}

// What has to do with no open file is done by the VFS beneath, by its own functions.
sqlite3_vfs made_of(sqlite3_vfs* real_vfs, const char* name) {
  sqlite3_vfs vfs = *real_vfs;
  vfs.zName = name;
  vfs.pNext = nullptr;
  vfs.pAppData = real_vfs;
  vfs.szOsFile += static_cast<int>(sizeof(PacedFile));
  vfs.xOpen = open_file;
  return vfs;
}

}  // namespace

void pace() {
  const timespec pause{.tv_sec = 0, .tv_nsec = kPaceNanoseconds};
  ::nanosleep(&pause, nullptr);
}

const char* paced_vfs() {
  static constexpr const char* kName = "remit-paced";
  sqlite3_vfs* const real_vfs = sqlite3_vfs_find(nullptr);
  if (real_vfs == nullptr) return nullptr;
  static sqlite3_vfs vfs = made_of(real_vfs, kName);
  static const bool kRegistered = sqlite3_vfs_register(&vfs, 0) == SQLITE_OK;
  return kRegistered ? kName : nullptr;
}

void set_paced(sqlite3* database, bool paced) {
  sqlite3_file_control(database, "main", kSetPaced, &paced);
}

}  // namespace remit::ledger
