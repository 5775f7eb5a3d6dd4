// Unpacks the Chromium of the package @sparticuz/chromium, with the libraries that a bare machine lacks, into TMPDIR.
import chromium from "@sparticuz/chromium";

console.log(await chromium.executablePath());
