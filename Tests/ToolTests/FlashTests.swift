import Foundation
import Testing

/// scripts/flash on cards that are none: what it refuses, what it writes, and what it says of a card that fails.
@Suite(.serialized, .enabled(if: Card.isPossible, "\(Card.reason)")) final class FlashTests {
    /// A disk image of 8 MiB with something in its partition.
    private let image: URL
    private let contents: Data
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("firstlight-image-\(UUID().uuidString)")

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        image = folder.appendingPathComponent("new.img")
        try Card.shell(
            """
            truncate -s 8M '\(image.path)' && printf 'label: gpt\\nname=new\\n' | sfdisk -q '\(image.path)' &&
            dd if=/dev/urandom of='\(image.path)' bs=1M seek=2 count=5 conv=notrunc status=none
            """)
        contents = try Data(contentsOf: image)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Nothing but the words on standard error and exit 1; and the card as it was.
    private func expectRefusal(_ card: Card, _ line: String, _ words: String, _ place: SourceLocation = #_sourceLocation) throws {
        let before = try card.bytes(count: 9 << 20)
        let result = try card.run(line)
        #expect(result.code == 1, "\(result.errors)", sourceLocation: place)
        #expect(result.errors.contains(words) && result.errors.contains("nothing was written"), "\(result.errors)", sourceLocation: place)
        #expect(try card.bytes(count: 9 << 20) == before, "the card was written to", sourceLocation: place)
    }

    private func flash(_ options: String = "--yes") -> String { "\"$FLASH\" '\(image.path)' \"$DEVICE\" \(options)" }

    @Test func refusesWhatIsNoImageOfADisk() throws {
        let card = try Card()
        for (make, words) in [
            ("echo text >wrong.img", "no GPT in it"),
            ("head -c 7000000 new.img >wrong.img", "it is cut short: 7000000 bytes, of 8388608"),
            ("xz -k new.img && head -c 3000000 new.img.xz >wrong.img.xz", "it is damaged"),
        ] {
            try Card.shell("cd '\(folder.path)' && \(make)")
            let name = make.hasSuffix(".xz") ? "wrong.img.xz" : "wrong.img"
            try expectRefusal(card, "\"$FLASH\" '\(folder.path)/\(name)' \"$DEVICE\" --yes", words)
        }
        try expectRefusal(card, "\"$FLASH\" '\(folder.path)/none.img' \"$DEVICE\" --yes", "not a file that can be read")
    }

    @Test func refusesWhatIsNoWholeDisk() throws {
        let card = try Card()
        try card.partition()
        try expectRefusal(card, "\"$FLASH\" '\(image.path)' \"${DEVICE}p1\" --yes", "a partition; the whole disk is \(card.device)")
        try expectRefusal(card, "\"$FLASH\" '\(image.path)' \"$FOLDER/card/file\" --yes", "not a block device")
        try expectRefusal(card, "\"$FLASH\" '\(image.path)' /dev/sdnone --yes", "not a block device")
    }

    @Test func refusesWhatIsInUse() throws {
        let card = try Card()
        try card.partition()
        _ = try card.run("mkfs.ext4 -q ${DEVICE}p1 && mkdir $FOLDER/mount")
        let mounted = "unshare -m sh -c 'mount -o ro ${DEVICE}p1 %@ && \(flash())'"
        try expectRefusal(card, mounted.replacing("%@", with: "$FOLDER/mount"), "mounted on \(card.folder)/mount; unmount it first")
        try expectRefusal(card, mounted.replacing("%@", with: "/boot"), "this machine's own disk: /boot is on it")
        // Somewhere that is not to be seen from here.
        try expectRefusal(
            card,
            """
            unshare -m sh -c 'mount -o ro ${DEVICE}p1 $FOLDER/mount && touch $FOLDER/ready && exec sleep 60' & hidden=$!
            while [ ! -e $FOLDER/ready ]; do sleep 0.1; done
            \(flash()); code=$?; kill $hidden; wait $hidden; exit $code
            """, "in use, or it cannot be opened: Device or resource busy")
        try expectRefusal(card, "flock $DEVICE \(flash())", "locked by another program")
        // What a loop device is over is busy for nobody.
        for part in ["$DEVICE", "${DEVICE}p1"] {
            try expectRefusal(
                card, "loop=$(losetup -f --show \(part)); \(flash()); code=$?; losetup -d $loop; exit $code", "is over it; losetup -d that first")
        }
        _ = try card.run("mkswap ${DEVICE}p1 && swapon ${DEVICE}p1")
        defer { _ = try? card.run("swapoff ${DEVICE}p1") }
        try expectRefusal(card, flash(), "swap of this machine; swapoff it first")
    }

    @Test func refusesWhatIsOfTheWrongSizeOrProtected() throws {
        try expectRefusal(try Card(size: 4 << 20), flash(), "too small: 5 MB, and the image has 9 MB")
        try expectRefusal(try Card(size: 3 << 40), flash(), "more than 2 TiB, which is probably no card")
        try expectRefusal(try Card(.writeProtected), flash(), "write-protected")
        try expectRefusal(try Card(.largeSectors), flash(), "its sectors have 4096 bytes")
    }

    /// Flashes with the answer typed after `line` has run, which happens when the question is on the screen.
    private func flash(whileItAsks line: String) -> String {
        """
        { for _ in $(seq 100); do grep -qs 'to erase it' $FOLDER/errors && break; sleep 0.1; done; \(line); echo $NAME; } | \(flash("")) 2>$FOLDER/errors
        code=$?; cat $FOLDER/errors >&2; losetup -n -O NAME -j $DEVICE | xargs -r losetup -d; exit $code
        """
    }

    @Test func nobodyMountsTheCardWhileItAsks() throws {
        let card = try Card()
        try card.partition()
        _ = try card.run("mkfs.ext4 -q ${DEVICE}p1 && mkdir $FOLDER/mount")
        let result = try card.run(flash(whileItAsks: "mount ${DEVICE}p1 $FOLDER/mount && umount $FOLDER/mount && touch $FOLDER/mounted"))
        #expect(result.code == 0, "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: card.folder + "/mounted"))
        #expect(try card.bytes(count: contents.count) == contents)
    }

    @Test func looksAgainAtTheCardAfterTheAnswer() throws {
        let card = try Card()
        try expectRefusal(card, flash(whileItAsks: "losetup -f $DEVICE"), "is over it; losetup -d that first")
        try expectRefusal(
            card, flash(whileItAsks: "truncate -s 48M $FOLDER/card/file && losetup -c $DEVICE"), "no longer the card that was shown")
    }

    @Test func asksAndErasesNothingForAnotherAnswer() throws {
        let card = try Card()
        try card.partition()
        _ = try card.run("mkfs.ext4 -q -L oldest ${DEVICE}p1")
        for answer in ["echo yes |", "echo |", "</dev/null"] { try expectRefusal(card, "\(answer) \(flash(""))", "not erased") }
        let result = try card.run("echo $NAME | \(flash(""))")
        #expect(result.code == 0, "\(result.errors)")
        // What it is about to erase.
        for words in ["\(card.device): ", "34 MB", "This is erased", "ext4 \"oldest\"", "old", "data", "Type \(card.name) to erase it"] {
            #expect(result.errors.contains(words), "\(words) is not in: \(result.errors)")
        }
    }

    @Test(arguments: ["", "xz", "zstd", "gzip"]) func writesAndReadsBack(_ packer: String) throws {
        let card = try Card()
        try card.partition()
        var file = image.path
        if !packer.isEmpty {
            file += ["xz": ".xz", "zstd": ".zst", "gzip": ".gz"][packer]!
            try Card.shell("\(packer) -c '\(image.path)' >'\(file)'")
        }
        let result = try card.run("\"$FLASH\" '\(file)' \"$DEVICE\" --yes")
        #expect(result.code == 0 && result.errors.contains("read back and the same"), "\(result.errors)")
        #expect(try card.bytes(count: contents.count) == contents)
        // The copy of the table that was there before.
        #expect(try card.bytes(from: 28 << 20, count: 4 << 20) == Data(count: 4 << 20))
    }

    @Test func leavesNothingBehindAnImageThatIsNearlyAsLarge() throws {
        let card = try Card(size: 9 << 20)
        let result = try card.run("dd if=/dev/urandom of=$DEVICE bs=1M count=9 status=none && \(flash())")
        #expect(result.code == 0, "\(result.errors)")
        #expect(try card.bytes(count: 9 << 20) == contents + Data(count: 1 << 20))
    }

    /// It is unpacked for its head, for its size, onto the card, and to be compared.
    @Test(arguments: [3, 4]) func doesNotBlameTheCardForAnImageThatCannotBeRead(_ time: Int) throws {
        try Card.shell("xz -k '\(image.path)'")
        let result = try Card().run(
            """
            mkdir $FOLDER/bin && cat >$FOLDER/bin/xz <<'END' && chmod +x $FOLDER/bin/xz
            #!/bin/sh
            echo >>$FOLDER/times
            [ $(wc -l <$FOLDER/times) -eq \(time) ] || exec /usr/bin/xz "$@"
            /usr/bin/xz "$@" | head -c 3000000
            exit 1
            END
            PATH=$FOLDER/bin:$PATH "$FLASH" '\(image.path).xz' $DEVICE --yes
            """)
        #expect(result.code == 3 && result.errors.contains("the card is not to blame"), "\(result.errors)")
        #expect(!result.errors.contains("nothing can be read") && !result.errors.contains("not what was written"), "\(result.errors)")
    }

    @Test func tellsACardThatForgetsWhatWasWritten() throws {
        let card = try Card(.forgetful)
        let result = try card.run(flash())
        #expect(result.code == 3 && result.errors.contains("is not what was written"), "\(result.errors)")
        #expect(result.errors.contains("not known to be right"), "\(result.errors)")
    }

    @Test func tellsACardThatFailsInTheMiddle() throws {
        let card = try Card(.broken, size: 8 << 20)
        let result = try card.run(flash())
        #expect(result.code == 3 && result.errors.contains("half written: it boots nothing"), "\(result.errors)")
        #expect(try card.bytes(count: 1 << 20) == Data(count: 1 << 20))
    }

    @Test(arguments: ["INT", "TERM"]) func saysThatTheCardIsHalfWrittenWhenItIsInterrupted(_ signal: String) throws {
        let card = try Card(.slow)
        // sh would have its background job ignore Ctrl-C.
        let result = try card.run(
            """
            mkfifo $FOLDER/errors
            perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$FLASH" '\(image.path)' $DEVICE --yes 2>$FOLDER/errors & flash=$!
            while read -r line; do
                echo "$line" >&2
                case $line in *writing*) sleep 1; kill -\(signal) $flash ;; esac
            done <$FOLDER/errors
            wait $flash
            """)
        #expect(result.code == 3 && result.errors.contains("half written"), "\(result.errors)")
        #expect(try Card.shell("pgrep -f 'dd [o]f=\(card.device) ' || true") == "")
    }
}
