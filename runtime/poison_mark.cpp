#include "runtime/poison_mark.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace runtime {

using actors::Partition;
using journeys::CustomerId;
using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

namespace {

constexpr std::uint32_t magic = 0x534a4d31; // "SJM1": the layout below.
constexpr std::uint32_t ends_until_poison = 3;
constexpr std::size_t id_bytes_max = 512;

/// Of the file; who reads it later is another build of ours, perhaps.
struct Mark {
    std::uint64_t offset = 0;
    std::uint8_t space = 0;
    std::uint16_t id_bytes = 0;
    char id[id_bytes_max] = {};

    bool operator==(const Mark& other) const {
        return offset == other.offset && space == other.space && id_bytes == other.id_bytes &&
               std::memcmp(id, other.id, std::min<std::size_t>(id_bytes, id_bytes_max)) == 0;
    }
};

Error failed(const std::filesystem::path& file) {
    return {ErrorCode::unavailable, file.string() + ": " + std::strerror(errno)};
}

} // namespace

struct PoisonMarkFile::Slot {
    std::uint32_t made_by = 0; ///< `magic`.
    std::uint32_t ends = 0;    ///< In a row, at `last`.
    std::atomic<std::uint32_t> is_applying{0};
    Mark now, last;
};

Result<std::unique_ptr<PoisonMarkFile>> PoisonMarkFile::open(const std::filesystem::path& file,
                                                             Partition partitions) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return failed(file);
    const std::size_t bytes = sizeof(Slot) * partitions;
    struct stat status {};
    const bool is_ours =
        ::fstat(descriptor, &status) == 0 && static_cast<std::size_t>(status.st_size) == bytes;
    // What is cut off and stretched again is zero.
    if (!is_ours && (::ftruncate(descriptor, 0) != 0 ||
                     ::ftruncate(descriptor, static_cast<off_t>(bytes)) != 0)) {
        const auto error = failed(file);
        ::close(descriptor);
        return error;
    }
    void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    const auto error = failed(file);
    ::close(descriptor);
    if (mapped == MAP_FAILED) return error;
    std::unique_ptr<PoisonMarkFile> made{new PoisonMarkFile{static_cast<Slot*>(mapped), bytes}};
    for (Partition partition = 0; partition < partitions; ++partition) made->read(partition);
    return made;
}

PoisonMarkFile::PoisonMarkFile(Slot* slots, std::size_t bytes) : slots_(slots), bytes_(bytes) {}

PoisonMarkFile::~PoisonMarkFile() { ::munmap(slots_, bytes_); }

void PoisonMarkFile::read(Partition partition) {
    Slot& slot = slots_[partition];
    if (slot.made_by != magic) {
        std::memset(static_cast<void*>(&slot), 0, sizeof slot);
        slot.made_by = magic;
    }
    if (slot.is_applying.exchange(0) == 0) {
        slot.ends = 0; // It ended elsewhere, or in order.
        return;
    }
    slot.ends = slot.now == slot.last ? slot.ends + 1 : 1;
    slot.last = slot.now;
    if (slot.ends < ends_until_poison) return;
    slot.ends = ends_until_poison - 1;
    if (slot.last.offset > 0) {
        poison_.records.emplace(partition, slot.last.offset);
    } else {
        const auto size = std::min<std::size_t>(slot.last.id_bytes, id_bytes_max);
        poison_.timers.insert(
            {static_cast<journeys::IdNamespace>(slot.last.space), std::string{slot.last.id, size}});
    }
}

void PoisonMarkFile::applying(Partition partition, std::uint64_t offset,
                              const CustomerId& customer) {
    Slot& slot = slots_[partition];
    slot.is_applying.store(0, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst); // The order in which the file sees it.
    slot.now.offset = offset;
    slot.now.space = static_cast<std::uint8_t>(customer.space);
    const auto size = std::min(customer.value.size(), id_bytes_max);
    slot.now.id_bytes = static_cast<std::uint16_t>(size);
    std::memcpy(slot.now.id, customer.value.data(), size);
    slot.is_applying.store(1, std::memory_order_release);
}

void PoisonMarkFile::done(Partition partition) {
    slots_[partition].is_applying.store(0, std::memory_order_release);
}

std::unique_ptr<PoisonMarkFile> open_marks(const std::filesystem::path& folder,
                                           Partition partitions, Log& log) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    auto opened = PoisonMarkFile::open(folder / "marks", partitions);
    if (!opened) {
        log.warning("no marks are kept: a record that ends the process will not be parked",
                    {{"why", opened.error().detail}});
        return nullptr;
    }
    const auto& poison = (*opened)->poison();
    for (const auto& [partition, offset] : poison.records)
        log.error("the service has ended at a record three times, and parks it",
                  {{"partition", partition}, {"offset", offset}});
    for (const auto& customer : poison.timers)
        log.error("the service has ended at a timer three times, and parks its customer",
                  {{"customer", log_text(customer)}});
    return std::move(*opened);
}

} // namespace runtime
