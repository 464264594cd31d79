import Foundation
import Testing

@testable import Transfer

@Suite("Directory listings")
struct DirectoryListingTests {
    @Test func namesComeOnePerLineWithoutTheDirectoryItself() {
        let listing = ".\n..\nstock 1.csv\r\n/outgoing/b.csv\n\nồ.csv\n"
        #expect(DirectoryListing.names(Array(listing.utf8)) == ["stock 1.csv", "b.csv", "ồ.csv"])
    }

    @Test func directoriesAreRecognisedInALongListing() {
        let listing = """
            drwxr-xr-x    2 root     root         4096 Nov 21 21:00 outgoing
            -rw-r--r--    1 root     root           12 Nov 21 21:00 stock.csv
            drwxr-xr-x    2 root     root         4096 Jan  1  2025 with two  blanks
            dubious line
            lrwxrwxrwx    1 root     root            5 Nov 21 21:00 link -> stock.csv

            """
        #expect(DirectoryListing.directories(inLong: Array(listing.utf8)) == ["outgoing", "with two  blanks"])
    }

    @Test func filesAreReadFromMachineReadableLines() {
        let listing =
            "type=cdir;modify=20261121060007; .\r\n"
            + "Type=file;Size=12;Modify=20261121060007.123;UNIX.mode=0644; stock 1;2=3.csv\r\n"
            + "type=dir;size=4096;modify=20261121060007; old\r\n" + "type=file;modify=20261121060007; sizeless\r\n"
            + "size=5;type=file; timeless\r\n" + "type=file;size=5; ../../etc/passwd\r\n" + "type=file;size=5;\r\n"
        let time = Date(timeIntervalSince1970: 1_795_240_807)
        #expect(
            DirectoryListing.machineReadable(Array(listing.utf8)) == [
                RemoteEntry(name: "stock 1;2=3.csv", size: 12, modifiedAt: time),
                RemoteEntry(name: "timeless", size: 5, modifiedAt: nil),
            ])
    }

    @Test(arguments: [
        ("19700101000000", 0.0), ("20000229120000", 951_825_600), ("20241231235959", 1_735_689_599),
        ("21000301000000", 4_107_542_400),
    ])
    func timesAreReadInUTC(_ text: String, _ seconds: Double) {
        #expect(DirectoryListing.time(text) == Date(timeIntervalSince1970: seconds))
    }

    @Test(arguments: ["", "2026112106000", "20261321060007", "20261121250007", "2026112106000x", "202611210600071"])
    func whatIsNoTimeIsNone(_ text: String) {
        #expect(DirectoryListing.time(text) == nil)
    }
}
