#pragma once

// What is written for the records of one commit. Neighbours that Record::parts allows to share
// become one record: the decisions of a call that comes with ten requests at a time cost little
// more than one. Internal to src/ledger.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ledger/ledger.h"
#include "ledger/record.h"

namespace remit::ledger {

class Batch {
 public:
  void clear();
  // In order. `record` must stay where it is until the next clear().
  void add(const Record& record);
  // Ends the adding.
  std::span<const Record* const> records();
  // What the `index`th added record became, when the records became `written`.
  Appended of(std::size_t index, std::span<const Appended> written) const;

 private:
  struct Place {
    std::uint32_t record = 0;
    std::int32_t request = -1;
  };
  bool last_takes(const Record& record) const;
  void share(const Record& record);

  std::vector<Place> places_;
  std::vector<const Record*> records_;
  const Record* last_ = nullptr;  // the first of those that share the last of records_
  std::int32_t requests_ = 1;     // how many share it
  std::vector<std::unique_ptr<Record>> shared_;  // memory of those composed, kept for the next time
  std::size_t used_ = 0;                         // of shared_
};

}  // namespace remit::ledger
